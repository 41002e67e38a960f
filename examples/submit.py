"""The command `alsatian`, for spark-submit, which takes scripts only.

spark-submit --master 'local[4]' examples/submit.py spark train ratings.parquet -o movies.model
"""

from alsatian.cli import main

main()
