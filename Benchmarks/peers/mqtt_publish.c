// Publishes telemetry of the profile uci-room-node at QoS 1, one second of device time apart.
// usage: mqtt_publish PORT TOPIC MESSAGES FIRST_SECOND
#include <mosquitto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static long acknowledged;

static void published(struct mosquitto *m, void *context, int id) {
    (void)m, (void)context, (void)id;
    acknowledged++;
}

int main(int count, char **arguments) {
    if (count != 5) return fputs("usage: mqtt_publish PORT TOPIC MESSAGES FIRST_SECOND\n", stderr), 2;
    long messages = atol(arguments[3]);
    time_t start = atol(arguments[4]);
    mosquitto_lib_init();
    struct mosquitto *m = mosquitto_new(NULL, true, NULL);
    mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);
    mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, 1000);
    mosquitto_publish_callback_set(m, published);
    if (mosquitto_connect(m, "127.0.0.1", atoi(arguments[1]), 60) != MOSQ_ERR_SUCCESS) return 1;
    long sent = 0;
    while (acknowledged < messages) {
        while (sent < messages && sent - acknowledged < 900) {
            char time[32], payload[512];
            time_t at = start + sent;
            struct tm parts;
            gmtime_r(&at, &parts);
            strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &parts);
            long n = sent % 1000;
            int length = snprintf(payload, sizeof payload,
                "{\"time\":\"%s\",\"S1_Temp\":24.%02ld,\"S2_Temp\":24.75,\"S3_Temp\":24.56,\"S4_Temp\":25.38,"
                "\"S1_Light\":%ld,\"S2_Light\":34,\"S3_Light\":53,\"S4_Light\":40,\"S1_Sound\":0.08,\"S2_Sound\":0.19,"
                "\"S3_Sound\":0.06,\"S4_Sound\":0.06,\"S5_CO2\":%ld,\"S5_CO2_Slope\":0.769230769,\"S6_PIR\":0,"
                "\"S7_PIR\":0,\"Room_Occupancy_Count\":1}", time, n % 100, n, 390 + n);
            if (mosquitto_publish(m, NULL, arguments[2], length, payload, 1, false) != MOSQ_ERR_SUCCESS) return 1;
            sent++;
        }
        if (mosquitto_loop(m, 100, 1) != MOSQ_ERR_SUCCESS) return 1;
    }
    mosquitto_disconnect(m);
    return 0;
}
