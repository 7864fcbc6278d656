"""Charts, from what is stored to what is drawn."""
