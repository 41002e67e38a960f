// Runs numbered tasks on threads that exist for one call, so there is no pool to configure or to rebuild after a fork.
// Tasks start in order. The result of a task must not depend on other tasks, so that results do not depend on the
// number of threads. The calling thread waits and polls for Ctrl-C.
#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <type_traits>
#include <vector>

namespace alsatian {

struct Cancelled : std::exception {};

// Set by the bindings: returns whether the user pressed Ctrl-C (acquires the GIL).
inline bool (*interrupted)() = [] { return false; };

// Calls body(task, worker[, cancelled]) for every task in [0, tasks). worker < threads identifies a scratch space. A
// long task should check `cancelled` regularly.
template <class Body>
void parallel_for(int threads, int64_t tasks, const Body& body) {
    std::atomic<int64_t> next{0};
    std::atomic<bool> cancel{false};
    bool stopped = false;  // by Ctrl-C
    const auto call = [&](int64_t task, int worker) {
        if constexpr (std::is_invocable_v<Body, int64_t, int, const std::atomic<bool>&>) body(task, worker, cancel);
        else body(task, worker);
    };
    std::mutex mutex;
    std::condition_variable finished;
    std::exception_ptr error;
    if (tasks <= 1) {  // not worth a thread
        if (tasks == 1) call(0, 0);
        return;
    }
    int running = static_cast<int>(threads < tasks ? threads : tasks);
    std::vector<std::thread> workers;
    const auto work = [&](int worker) {
        try {
            for (int64_t task; !cancel.load(std::memory_order_relaxed) && (task = next++) < tasks;) call(task, worker);
        } catch (...) {
            cancel = true;
            std::lock_guard lock(mutex);
            error = std::current_exception();
        }
        std::lock_guard lock(mutex);
        if (--running == 0) finished.notify_one();
    };
    const int count = running;
    for (int worker = 0; worker < count; ++worker) {
        try {
            workers.emplace_back(work, worker);
        } catch (const std::system_error&) {  // no more threads are available: continue with those running
            if (worker == 0) throw;
            std::lock_guard lock(mutex);
            running -= count - worker;
            break;
        }
    }
    {
        std::unique_lock lock(mutex);
        while (!finished.wait_for(lock, std::chrono::milliseconds(100), [&] { return running == 0; })) {
            lock.unlock();
            if (!stopped && interrupted()) cancel = stopped = true;
            lock.lock();
        }
    }
    for (auto& worker : workers) worker.join();
    if (error) std::rethrow_exception(error);
    if (stopped) throw Cancelled();
}

}  // namespace alsatian
