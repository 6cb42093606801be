"""What the user asked for, as frozen values: nothing here does anything but hold and check it."""
