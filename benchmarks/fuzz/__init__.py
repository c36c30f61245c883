"""Whatever comes in from outside is answered: targets that take any bytes, and engines that think them up."""
