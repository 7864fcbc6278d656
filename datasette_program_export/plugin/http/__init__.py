"""What every view shares: answers, downloads, uploads, forms, numbers."""
