"""What somebody else's SQL may do: its tokens, the names in it, and SQLite's authorizer."""
