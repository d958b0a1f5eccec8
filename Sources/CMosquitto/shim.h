#ifndef CAMPUS_CMOSQUITTO_SHIM_H
#define CAMPUS_CMOSQUITTO_SHIM_H
#include <mosquitto.h>
#include <mqtt_protocol.h>
#endif
