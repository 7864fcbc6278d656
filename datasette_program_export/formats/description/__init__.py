"""The typed parts of a document's description, which also generate its JSON Schema."""
