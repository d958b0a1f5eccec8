// Modbus TCP units that answer at once and count what is read from them.
// usage: modbus_slave FIRST_PORT PORTS REGISTERS
// Ports FIRST_PORT to FIRST_PORT + PORTS - 1, every unit number, float32 in consecutive holding registers. A line of
// standard input is answered by: requests and registers read since the start.
#include <modbus.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static atomic_long requests, registers;
static int size;

struct port {
    modbus_t *context;
    int listener;
};

static void *serve(void *argument) {
    modbus_t *context = ((struct port *)argument)->context;
    int listener = ((struct port *)argument)->listener;
    modbus_mapping_t *mapping = modbus_mapping_new(0, 0, size, 0);
    for (int i = 0; i + 1 < size; i += 2) modbus_set_float_abcd((float)i, mapping->tab_registers + i);
    for (;;) {
        int socket = modbus_tcp_accept(context, &listener);
        if (socket < 0) continue;
        uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
        int length;
        while ((length = modbus_receive(context, query)) > 0) {
            mapping->tab_registers[1]++;  // The values move, in the last bits of the first.
            if (modbus_reply(context, query, length, mapping) < 0) break;
            atomic_fetch_add(&requests, 1);
            atomic_fetch_add(&registers, query[10] << 8 | query[11]);
        }
        close(socket);
    }
}

int main(int count, char **arguments) {
    if (count != 4) return fputs("usage: modbus_slave FIRST_PORT PORTS REGISTERS\n", stderr), 2;
    size = atoi(arguments[3]);
    for (int i = 0; i < atoi(arguments[2]); i++) {
        // Listening before it says that it is ready.
        struct port *port = malloc(sizeof *port);
        port->context = modbus_new_tcp("127.0.0.1", atoi(arguments[1]) + i);
        port->listener = modbus_tcp_listen(port->context, 8);
        if (port->listener < 0) return perror("listen"), 1;
        pthread_t thread;
        pthread_create(&thread, NULL, serve, port);
    }
    puts("ready");
    fflush(stdout);
    char line[64];
    while (fgets(line, sizeof line, stdin)) {
        printf("%ld %ld\n", atomic_load(&requests), atomic_load(&registers));
        fflush(stdout);
    }
    return 0;
}
