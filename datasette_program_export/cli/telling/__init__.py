"""What the commands write: an export, texts for people, progress; safe on a terminal."""
