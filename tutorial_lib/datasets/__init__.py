"""What networks are trained and tested on: splits, footage, windows, videos, photos, and what spoils them."""
