"""The pages of exports that the server prepares in the background."""
