// The floor of Modbus reading: a bare libmodbus loop, one thread a port, that converts each float32 and keeps the last.
// usage: modbus_loop FIRST_PORT PORTS UNITS REGISTERS PERIOD_MS SECONDS   (period 0: as fast as it goes)
// Prints the points per second and the CPU seconds used.
#include <modbus.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static int first_port, units, size, period;
static double end;
static atomic_long points;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *poll_port(void *argument) {
    modbus_t *context = modbus_new_tcp("127.0.0.1", first_port + (int)(long)argument);
    // A busy machine may pause the slave for longer than the usual 500 ms.
    modbus_set_response_timeout(context, 5, 0);
    if (modbus_connect(context) < 0) return perror("connect"), exit(1), NULL;
    float *last = calloc((size_t)(units * size / 2), sizeof *last);
    uint16_t words[125];
    for (double due = now(); now() < end; due += period / 1e3) {
        for (int unit = 1; unit <= units; unit++) {
            modbus_set_slave(context, unit);
            for (int at = 0; at < size; at += 124) {
                int n = size - at < 124 ? size - at : 124;
                if (modbus_read_registers(context, at, n, words) != n) return perror("read"), exit(1), NULL;
                for (int i = 0; i < n; i += 2)
                    last[(unit - 1) * size / 2 + (at + i) / 2] = modbus_get_float_abcd(words + i);
                atomic_fetch_add(&points, n / 2);
            }
        }
        double left = due + period / 1e3 - now();
        if (period > 0 && left > 0) {
            struct timespec pause = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
            nanosleep(&pause, NULL);
        }
    }
    return NULL;
}

int main(int count, char **arguments) {
    if (count != 7) return fputs("usage: modbus_loop FIRST_PORT PORTS UNITS REGISTERS PERIOD_MS SECONDS\n", stderr), 2;
    first_port = atoi(arguments[1]);
    int ports = atoi(arguments[2]);
    units = atoi(arguments[3]);
    size = atoi(arguments[4]);
    period = atoi(arguments[5]);
    double seconds = atof(arguments[6]);
    end = now() + seconds;
    pthread_t threads[64];
    for (long i = 0; i < ports; i++) pthread_create(&threads[i], NULL, poll_port, (void *)i);
    for (int i = 0; i < ports; i++) pthread_join(threads[i], NULL);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%.1f %.3f\n", (double)atomic_load(&points) / seconds,
        (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
            + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6);
    return 0;
}
