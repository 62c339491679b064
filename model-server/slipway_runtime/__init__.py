"""What runs beside a model: `fetch` brings and checks its bytes, `serve` answers for it over the Open Inference Protocol v2."""
