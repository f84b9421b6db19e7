"""The process that sends: started for one message, and ended when its time is over."""
