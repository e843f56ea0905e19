"""What will happen: typed changes with before and after, and one digest over them."""
