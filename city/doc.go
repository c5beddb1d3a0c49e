package city
