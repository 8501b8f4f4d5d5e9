module weir_bench_go

go 1.18
