"""What is asked of code and its answers: knows code, knows neither the protocol nor HTTP."""
