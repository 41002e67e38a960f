"""Training on Spark when the data outgrows a machine: the same kernels, and an ordinary model at the end.

A fit goes through these modules; only the public DataFrame API is used, so classic Spark and Spark Connect are alike.

    session     the session of a frame: where its master is, whether executors can run this package; starting one
      java        the system's, or that of a package
    frames      which column is which, typed rows, what is wrong with them
    numbering   external ids become row numbers, in ascending order; rows are cut into blocks
    packing     ratings become compressed rows, one row of a table for each block: by user, then by item
      cells       tables whose cells are arrays     folder: tables as Parquet in a folder that all executors reach
    sides       the two sides of a fit: a job for each half-sweep, and what is noted so that a fit can go on
      tasks       what runs on the executors: the native half-sweep on a block
    fitting     fit: from a frame to a model     memory: what that will take     mllib: the same by MLlib's own ALS
    factors     factors that stay in Parquet     lists: recommend and similar for everyone     putting: a model as such
"""

from alsatian.spark.factor_tables import FactorTables
from alsatian.spark.training import fit, fit_factors

__all__ = ["FactorTables", "fit", "fit_factors"]
