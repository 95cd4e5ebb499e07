"""What a reader sees: live demos and their stage, static figures and their previews, claim cards, exercise checks."""
