#ifndef CAMPUS_CMODBUS_SHIM_H
#define CAMPUS_CMODBUS_SHIM_H
#include <modbus.h>
#endif
