"""Tables, figures and pages that people read, and the two screens of the terminal."""
