"""What never ships: the demo, the stand-ins for AWS and Lambda on one machine, and Alexa's side in `simulator`."""
