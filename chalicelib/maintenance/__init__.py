"""What an operator asks of a whole collection: whether index and objects agree, to make one anew of the other, to read all again."""
