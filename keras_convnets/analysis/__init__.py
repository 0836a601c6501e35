"""What can be read off a built model, ours or anybody's: it imports none of the builders."""
