from alsatian.kernels._native import *
