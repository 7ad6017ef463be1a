// Determinism
