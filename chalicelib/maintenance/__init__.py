"""What an operator asks of a whole collection: whether index and objects agree, and to make one anew of the other."""
