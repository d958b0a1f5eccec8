// The floor of MQTT reception: a libmosquitto subscriber at QoS 1 that only counts.
// usage: mqtt_count PORT CLIENT FILTER MESSAGES   (0 messages: subscribe with a persistent session and leave)
// Prints the messages per second between the first and the last message.
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long wanted, seen;
static double first;
static const char *filter;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void connected(struct mosquitto *m, void *context, int code) {
    (void)context;
    if (code == 0) mosquitto_subscribe(m, NULL, filter, 1);
}

static void subscribed(struct mosquitto *m, void *context, int id, int count, const int *granted) {
    (void)context, (void)id, (void)count, (void)granted;
    puts("subscribed");
    fflush(stdout);
    if (wanted == 0) mosquitto_disconnect(m);
}

static void arrived(struct mosquitto *m, void *context, const struct mosquitto_message *message) {
    (void)context, (void)message;
    if (seen++ == 0) first = now();
    if (seen == wanted) {
        printf("rate %.1f\n", (double)(seen - 1) / (now() - first));
        mosquitto_disconnect(m);
    }
}

int main(int count, char **arguments) {
    if (count != 5) return fputs("usage: mqtt_count PORT CLIENT FILTER MESSAGES\n", stderr), 2;
    filter = arguments[3];
    wanted = atol(arguments[4]);
    mosquitto_lib_init();
    struct mosquitto *m = mosquitto_new(arguments[2], false, NULL);
    mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
    mosquitto_connect_callback_set(m, connected);
    mosquitto_subscribe_callback_set(m, subscribed);
    mosquitto_message_callback_set(m, arrived);
    if (mosquitto_connect(m, "127.0.0.1", atoi(arguments[1]), 60) != MOSQ_ERR_SUCCESS) return 1;
    return mosquitto_loop_forever(m, 1000, 1) == MOSQ_ERR_SUCCESS ? 0 : 1;
}
