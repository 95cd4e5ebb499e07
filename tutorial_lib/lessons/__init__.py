"""One drawer a lesson, called like its notebook. No drawer imports another."""
