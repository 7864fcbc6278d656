"""What all views share: responses, downloads, uploads, forms, numbers."""
