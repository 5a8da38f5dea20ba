"""From a model's text to edits of a document: parse, check, smallest hunks, rebase."""
