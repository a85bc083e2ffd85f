"""The encoders: text and graph to a vector a concept."""
