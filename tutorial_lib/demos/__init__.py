"""The live demos: `stage` draws, `live` ties controls to a computation, and one file a lesson says what."""
