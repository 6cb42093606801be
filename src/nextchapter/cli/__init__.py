"""The commands of `nextchapter`: what a trained run can be asked at a terminal."""
