"""From a request to bytes."""
