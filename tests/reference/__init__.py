"""What would a second, slow reader of the written rules answer? Imports nothing from the project."""
