"""YAML files, each with what is known about one application's database."""
