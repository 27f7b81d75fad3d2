"""Examples and questions: read from published files, split, or made from a seed."""
