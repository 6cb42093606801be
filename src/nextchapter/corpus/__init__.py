"""From files of any age and layout to clean chapters, divided into training, validation and test."""
