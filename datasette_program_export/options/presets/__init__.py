"""What is known of the database of one application, as YAML files."""
