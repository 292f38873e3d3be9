"""CEL as the vendor's server runs it (server: db/cel.clj, on cel-java), written for what no library offers.

Two algebras over one parser: `evaluation` answers a rule for one entity, `symbolic` turns it into a where-clause. The
libraries were measured in November 2026: cel-python 0.5 takes 0.4 to 2 ms a rule, refuses `null == 1` and `1 < 1.5`,
and its compiled runner fails; common-expression-language 0.10 is quick but shows no syntax tree, and a missing field
is an error where the vendor says null. This one takes 2 to 10 µs a rule.
"""
