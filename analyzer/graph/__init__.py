"""What functions do, from the bodies of jobs down: values, frames, effects to a fixpoint."""
