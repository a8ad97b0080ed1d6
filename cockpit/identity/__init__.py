"""Who is who: links between identifiers, and the profiles that they make."""
