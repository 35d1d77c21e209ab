"""The engine: arrays in, arrays out, as fast as the machine allows. It knows nothing of layers."""
