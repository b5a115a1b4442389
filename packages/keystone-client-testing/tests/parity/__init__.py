"""The same random traffic to a live Keystone and to the fake, answers compared; runs when KEYSTONE_PARITY is 1."""
