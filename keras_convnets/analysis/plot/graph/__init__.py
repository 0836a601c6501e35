"""What a figure shows: a model's blocks and the tensors between them, without their look."""
