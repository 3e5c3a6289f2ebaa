"""HTTP: who comes in and how much at once, how bodies are read and answers sent."""
