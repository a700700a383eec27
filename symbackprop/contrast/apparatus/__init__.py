"""What several studies share, or what a long one is made of; none of it is a study."""
