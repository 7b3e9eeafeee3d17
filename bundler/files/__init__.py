"""Which files of a project go into its image, and whether the image will have what they import."""
