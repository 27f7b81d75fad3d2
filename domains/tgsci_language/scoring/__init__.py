"""How right an answer is: exact text, a number with its unit, a choice, a pattern, a function, a judge."""
