// The simulator's parts follow.
