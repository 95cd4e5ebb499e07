"""The course's workshop: builds, runs and checks the lessons. No lesson's idea lives here."""
