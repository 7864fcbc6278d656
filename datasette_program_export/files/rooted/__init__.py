"""Files that rows name by a path, in a folder that a setting names: no path and no link leads out of it."""
