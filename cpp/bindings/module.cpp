// A build of the kernels for one instruction set, as a Python module.
#include <nanobind/stl/string.h>

#include <string>

#include "bindings/binding.h"

using namespace alsatian;

namespace {

bool check_signals() {
    nb::gil_scoped_acquire acquired;
    return PyErr_CheckSignals() != 0;
}

bool supports(const std::string& set) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (set == "avx2") return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
#endif
    return set == "baseline";
}

}  // namespace

NB_MODULE(MODULE_NAME, m) {
    using namespace nb::literals;
    m.doc() = "The native kernels, compiled for one instruction set; the wrappers in kernels/native document them.";
    interrupted = check_signals;
    bind_als(m);
    bind_topk(m);
    bind_sgd(m);
    bind_neighbors(m);
    bind_sort(m);
    bind_text(m);
    m.def("supports", &supports, "instruction_set"_a, "Whether this processor can run the build of that name.");
}
